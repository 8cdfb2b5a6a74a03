"""Relations that published experiments found for cells and vesicles, and how many the model meets."""
