"""What a refit computes and keeps."""
