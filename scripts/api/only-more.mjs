import ts from "typescript";

/**
 * True if a declaration differs only by additions that break no caller: optional members of an object type, members of a
 * class, trailing optional parameters, overloads. False in doubt.
 *
 * @param {string} before - A declaration in an API report.
 * @param {string} after
 */
export function isCompatibleExtension(before, after) {
  const [old, now] = [statements(before), statements(after)];
  if (old.length === 0 || old.length > now.length) return false;
  if (old.every(ts.isFunctionDeclaration) && now.every(ts.isFunctionDeclaration)) {
    return old.every((signature, i) => isCompatibleSignature(signature, now[i]));
  }
  if (old.length !== 1 || now.length !== 1 || old[0].kind !== now[0].kind) return false;
  const [was, is] = [objectShape(old[0]), objectShape(now[0])];
  if (!was || !is || was.head !== is.head) return false;
  const allKept = was.members.every((member) => is.members.some(({ text }) => text === member.text));
  const added = is.members.filter(({ text }) => !was.members.some((member) => member.text === text));
  return allKept && added.every(({ optional }) => optional);
}

function statements(text) {
  return [...ts.createSourceFile("report.d.ts", text, ts.ScriptTarget.ES2022, true).statements];
}

/** The members of an object type, an interface or a class, and the text before them. */
function objectShape(statement) {
  const literal = ts.isTypeAliasDeclaration(statement) ? statement.type : statement;
  const hasMembers =
    ts.isTypeLiteralNode(literal) || ts.isInterfaceDeclaration(literal) || ts.isClassDeclaration(literal);
  if (!hasMembers) return undefined;
  const text = statement.getText();
  return {
    head: text.slice(0, text.indexOf("{")),
    members: literal.members.map((member) => ({
      text: member.getText(),
      optional: ts.isClassDeclaration(literal) || member.questionToken !== undefined,
    })),
  };
}

function isCompatibleSignature(old, now) {
  const parameterTexts = ({ parameters }) => parameters.map((parameter) => parameter.getText());
  const more = now.parameters.slice(old.parameters.length);
  return (
    old.type?.getText() === now.type?.getText() &&
    String(old.typeParameters?.map((parameter) => parameter.getText())) ===
      String(now.typeParameters?.map((parameter) => parameter.getText())) &&
    parameterTexts(old).every((text, i) => text === parameterTexts(now)[i]) &&
    more.every(({ questionToken, dotDotDotToken }) => questionToken ?? dotDotDotToken)
  );
}
