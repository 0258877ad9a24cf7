/** Exercises are the examples whose checks do not hold as they stand. */
export const isExercise = (example: string): boolean => example.startsWith("exercise-");
