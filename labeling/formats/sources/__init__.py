"""What a source is: opened, looked into, unpacked, decoded, within limits."""
