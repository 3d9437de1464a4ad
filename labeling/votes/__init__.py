"""From labeling functions to a matrix of votes to soft labels, without a project."""
