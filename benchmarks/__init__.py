"""What the speed claims rest on: ratios against something else, measured in one run."""
