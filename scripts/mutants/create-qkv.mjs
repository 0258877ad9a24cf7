// Mutants of the files of a new project, and of the checks before any file is written.
export const near = ["src/run.test.ts"];

export const mutants = [
  {
    what: "a folder with files is written to",
    file: "src/create-project.ts",
    in: "requireEmpty",
    find: "existing.length > 0",
    replace: "existing.length > 1",
  },
  {
    what: "a file in place of the folder counts as none",
    file: "src/create-project.ts",
    in: "requireEmpty",
    find: '$code === "ENOENT"',
    replace: '$code !== "EACCES"',
  },
  {
    what: "a template that is nearly named is not suggested",
    file: "src/create-project.ts",
    in: "findTemplate",
    find: "nearestName($name, $names)",
    replace: "undefined",
  },
  {
    what: "names of projects keep their capitals",
    file: "src/copy-template.ts",
    in: "projectName",
    find: "basename($folder).toLowerCase()",
    replace: "basename($folder)",
  },
  {
    what: "a name ends in a hyphen",
    file: "src/copy-template.ts",
    in: "projectName",
    find: "/^[._-]+|[-]+$/g",
    replace: "/^[._-]+/g",
  },
  {
    what: "a version before 1 has the range of its major version",
    file: "src/copy-template.ts",
    in: "copyTemplate",
    find: '$major === "0"',
    replace: '$major === "-"',
  },
  {
    what: "the project takes any version of qkv",
    file: "src/copy-template.ts",
    in: "copyTemplate",
    find: "`^${$version}`",
    replace: '"*"',
  },
  {
    what: "questions are asked although the result is JSON",
    file: "src/run.ts",
    in: "run",
    find: "json ? undefined : io.questions",
    replace: "io.questions",
  },
  {
    what: "left questions count as a success",
    file: "src/run.ts",
    find: "const cancelledCode = 130;",
    replace: "const cancelledCode = 0;",
  },
  {
    what: "more than one folder is taken",
    file: "src/run.ts",
    in: "parseCommandLine",
    find: "positionals.length <= 1",
    replace: "positionals.length <= 2",
  },
];
