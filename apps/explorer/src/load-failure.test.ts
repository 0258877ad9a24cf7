import { load } from "@qkv/transformer";
import { expect, test } from "vitest";
import { loadFailure } from "./load-failure";

/** The error of loading a repository whose hub fails so. */
async function failure(thrown: Error): Promise<Error> {
  const client = { downloadFile: () => Promise.reject(thrown) };
  return load("owner/name", { hub: { client, cache: false } }).then(
    () => expect.unreachable(),
    (error: Error) => error,
  );
}

test.each([
  [
    Object.assign(new Error("Invalid username or password."), { statusCode: 401 }),
    /no public repository “owner\/name”/,
  ],
  [new TypeError("Failed to fetch"), /did not answer\.\nFix: check the network/],
  [new Error("busy"), /which says: busy\.\nFix: check the name, and try again later\.$/],
])("an error of the hub is told as the page can mend it: %s", async (thrown, told) => {
  const error = await failure(thrown);
  expect(error.message).toContain("accessToken");
  const text = loadFailure(error, "owner/name");
  expect(text).toMatch(told);
  expect(text).not.toContain("accessToken");
});

test("errors of files stay as they are", () => {
  const error = new Error("damaged", { cause: new TypeError("x") });
  expect(loadFailure(error, undefined)).toBe("damaged");
  expect(loadFailure(error, "http://localhost/model")).toBe("damaged");
});
