"""What a machine computes: parameters, neurons, image, words, reference. Imports no amaranth."""
