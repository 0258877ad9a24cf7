/** GLSL of `compute` for shaders that define `float number(int n)`, which computes a single number. */
export const computeByNumber = `vec4 compute(int i) {
  int n = i * 4;
  return vec4(number(n), number(n + 1), number(n + 2), number(n + 3));
}`;
