"""The client for Harbor 2: seen running on 2.16, older ones are asked what they can do."""
