// How a changeset reads in a CHANGELOG: its sentences, and one line for all siblings that were released with it.
export default {
  async getReleaseLine({ summary }) {
    const [first, ...more] = summary.trim().split("\n");
    return [`- ${first}`, ...more.map((line) => (line === "" ? "" : `  ${line}`))].join("\n");
  },
  async getDependencyReleaseLine(_changesets, updated) {
    if (updated.length === 0) return "";
    return `- Uses ${updated.map(({ name, newVersion }) => `\`${name}\` ${newVersion}`).join(", ")}.`;
  },
};
