"""A batch of mapped rows becomes Campaign Recipient rows.

mapped_batch     pages that are written together; erased people have become figures
difference       what is new, changed and unchanged
batch            match, compare, create Contacts, write
writers          in bulk, or document by document
listeners        who on this site wants to see each document saved
parallel_fixups  what several workers could not see of each other
"""
