/** Largest sizes of feature extractors: several times those of published ones, and small enough for any memory. */
export const most = { numMels: 1024, fftLength: 2 ** 16, sampleRate: 2 ** 20, frames: 2 ** 20, seconds: 600 };
