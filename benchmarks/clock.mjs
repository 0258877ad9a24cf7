/** Milliseconds: of the clock on the wall, or, with `clock: "cpu"`, of the processors that this process had. */
export function clockOf({ clock }) {
  if (clock !== "cpu") return () => performance.now();
  return () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
}
