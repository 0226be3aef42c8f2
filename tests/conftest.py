"""What all tests share. `./dev test` runs them; see tests/site/conftest.py for the fixtures of a site."""
