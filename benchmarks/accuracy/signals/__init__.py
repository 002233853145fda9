"""Accuracy on signals: public series with an official split."""
