"""Table 1 to subjects: draws, the library of untreated courses, enrolment from it."""
