"""A batch of mapped rows becomes Campaign Recipient rows.

store_batch                    the life of a batch from top to bottom: match, create Contacts, write, update Contacts
mapped_batch                   pages that are written together; erased people have become figures
matched_batch                  the batch compared with stored rows and matched with Contacts: plain data
opt_outs                       what the batch says about consent
difference                     what is new, changed and unchanged
row_writers                    in bulk, or document by document
preview_writer                 counts what a dry run would write, and writes nothing
repair_after_parallel_workers  what several workers could not see of each other
"""
