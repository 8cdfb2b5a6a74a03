"""What harmed patients in single trials, beside what the model expects of their dose, route and product."""
