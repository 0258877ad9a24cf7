/** Creates a button for the tools below a picture. */
export function toolButton(text: string, onClick: () => void): HTMLButtonElement {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = text;
  element.addEventListener("click", onClick);
  return element;
}

/** The name of a picture's file, without extension: the attribute `download` of its element, or the name of the element. */
export const fileName = (host: HTMLElement): string =>
  host.getAttribute("download") || host.localName.replace(/^qkv-/, "");

/** Downloads a picture, or its numbers, as a file. */
export function saveFile(file: Blob, kind: "svg" | "png" | "csv", name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `${name}.${kind}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
