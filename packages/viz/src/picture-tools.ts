/** A button below a picture. */
export function toolButton(text: string, press: () => void): HTMLButtonElement {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = text;
  element.addEventListener("click", press);
  return element;
}

/** Hands a picture to the reader as a file. */
export function saveFile(file: Blob, kind: "svg" | "png", name = "picture"): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `${name}.${kind}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
