"""What a simulation run is: frozen dataclasses, standard library only."""
