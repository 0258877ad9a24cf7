/**
 * Output streams of a command that record the text written to them.
 *
 * @param onError - Called with each text written to stderr.
 */
export function capturedOutput(onError: (text: string) => void = () => {}) {
  const written = { out: "", err: "" };
  const streams = {
    out: { write: (text: string) => (written.out += text) },
    err: {
      write: (text: string) => {
        written.err += text;
        onError(text);
      },
    },
    color: false,
  };
  return { streams, written };
}
