/** True for exercises: examples whose checks fail initially. */
export const isExercise = (example: string): boolean => example.startsWith("exercise-");
