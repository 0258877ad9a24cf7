/** Output streams of a command, and the text that was written to each. `onError`: called with each text for stderr. */
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
