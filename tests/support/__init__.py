"""What tests share: real servers, independent tools, a browser.

Each file stands alone; `tests/conftest.py` makes the fixtures.
"""
