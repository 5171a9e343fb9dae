"""Speed, measured against pandas in the same run. Not part of the tests: no time is a fact."""
