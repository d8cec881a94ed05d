"""`make mutants`: change the layer's code in small ways and see whether a test notices."""
