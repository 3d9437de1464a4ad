"""What people said of items: annotations, which of them stand, remarks."""
