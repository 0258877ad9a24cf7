/** Milliseconds: wall-clock time or, with `clock: "cpu"`, the processor time of this process. */
export function clockOf({ clock }) {
  if (clock !== "cpu") return () => performance.now();
  return () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
}
