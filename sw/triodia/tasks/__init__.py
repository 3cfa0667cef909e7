"""Tasks and series: what networks are trained and tested on."""
