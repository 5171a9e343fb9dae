"""What a test of any form of library needs: runs, and the suite that every form passes."""
