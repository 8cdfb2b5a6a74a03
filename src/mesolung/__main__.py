"""`python -m mesolung`: the command line."""

from mesolung.cli import main

if __name__ == "__main__":
    main()
