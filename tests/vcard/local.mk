# the virtual card
