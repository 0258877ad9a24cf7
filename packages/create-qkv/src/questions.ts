import { templates } from "./templates.js";

/** Questions to the user. Undefined: the user cancelled. */
export type Questions = {
  folder(): Promise<string | undefined>;
  template(): Promise<string | undefined>;
};

/** Prompts in a terminal. */
export const terminalQuestions: Questions = {
  async folder() {
    const { isCancel, text } = await import("@clack/prompts");
    const answer = await text({
      message: "Folder of the project",
      defaultValue: "qkv-app",
      placeholder: "qkv-app",
    });
    return isCancel(answer) ? undefined : answer;
  },
  async template() {
    const { isCancel, select } = await import("@clack/prompts");
    const options = templates.map(({ name, about }) => ({ value: name, label: name, hint: about }));
    const answer = await select({ message: "Template", options });
    return isCancel(answer) ? undefined : answer;
  },
};
