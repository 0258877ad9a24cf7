type Package = {
  name: string;
  folder: string;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  json: Record<string, any>;
};
export declare function allPackages(): Package[];
export declare function publicPackages(): Package[];
