// Prints what the doc comments of @orbitalis/sdk say, as JSON: each entry point of its package.json with what it exports.
// It reads the sources by the compiler that the package is built with, and needs nothing of the network.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const PACKAGE = join(ROOT, "typescript");
const packaged = createRequire(join(PACKAGE, "package.json"));
const ts = packaged("typescript");
const prettier = packaged("prettier");

const WHOLE = ts.TypeFormatFlags.NoTruncation;
/** Characters of a type beyond which only its beginning is shown. */
const LONGEST_TYPE = 600;
const WIDTH = 88;

/** The source of an entry point, by what its `exports` name. */
function sourceOf(types) {
  return join(ROOT, types.replace(/^\.\/dist\//, "").replace(/\.d\.ts$/, ".ts"));
}

const { exports, name } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));
const entries = Object.entries(exports).flatMap(([path, { types }]) =>
  types === undefined ? [] : [{ path, file: sourceOf(types) }],
);
const { config } = ts.readConfigFile(join(PACKAGE, "tsconfig.json"), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, PACKAGE);
const program = ts.createProgram(
  entries.map(({ file }) => file),
  { ...options, types: [] },
);
const checker = program.getTypeChecker();

/** What a file says of itself. */
function overviewOf(file) {
  const [comment] = /\/\*\*[^]*?\*\//.exec(file.text) ?? [""];
  return comment
    .replace(/^\/\*\*\s?|\s*\*\/$/g, "")
    .replace(/^ *\* ?/gm, "")
    .trim();
}

function docOf(symbol) {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim();
}

function isOurs(node) {
  const { fileName } = node.getSourceFile();
  return fileName.startsWith(ROOT) && !fileName.includes("node_modules");
}

/** What users can reach of the properties of a type: no private ones, and none of the language's own classes. */
function membersOf(type) {
  return checker.getPropertiesOfType(type).filter((one) => {
    const node = one.valueDeclaration ?? one.declarations?.[0];
    const flags = node === undefined ? ts.ModifierFlags.Private : ts.getCombinedModifierFlags(node);
    const isHidden = (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0;
    const isSecret = node?.name !== undefined && ts.isPrivateIdentifier(node.name);
    return !isHidden && !isSecret && isOurs(node) && !one.name.startsWith("__") && one.name !== "prototype";
  });
}

/** Return code in the usual format, of a declaration that begins with `prefix`, which is left out. */
async function formatted(code, prefix = "") {
  try {
    const text = await prettier.format(`${prefix}${code};`, { parser: "typescript", printWidth: WIDTH });
    return text.trim().slice(prefix.length).replace(/;$/, "");
  } catch {
    return code; // a type of which only the beginning is shown
  }
}

function signaturesOf(type, node, called) {
  const kind = called === "new" ? ts.SignatureKind.Construct : ts.SignatureKind.Call;
  return checker.getSignaturesOfType(type, kind).map((one) => checker.signatureToString(one, node, WHOLE));
}

function typeText(type, node) {
  const text = checker.typeToString(type, node, WHOLE | ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope);
  return text.length > LONGEST_TYPE ? checker.typeToString(type, node) : text;
}

/** The type of a property as it is written, or as it follows. */
function writtenType(symbol, node) {
  const written = (ts.isPropertySignature(node) || ts.isPropertyDeclaration(node) || ts.isParameter(node)) && node.type;
  const type = checker.getTypeOfSymbolAtLocation(symbol, node);
  return written ? written.getText().replace(/\s+/g, " ") : typeText(type, node);
}

async function describedMember(symbol, isStatic = false) {
  const node = symbol.valueDeclaration ?? symbol.declarations[0];
  const type = checker.getTypeOfSymbolAtLocation(symbol, node);
  const told = {
    name: symbol.name,
    doc: docOf(symbol),
    isStatic,
    isOptional: (symbol.flags & ts.SymbolFlags.Optional) !== 0,
  };
  if (ts.isMethodDeclaration(node) || ts.isMethodSignature(node)) {
    const written = signaturesOf(checker.getNonNullableType(type), node);
    const signatures = written.map((one) => formatted(symbol.name + one, "declare function "));
    return { ...told, kind: "method", signatures: await Promise.all(signatures) };
  }
  return { ...told, kind: "property", type: writtenType(symbol, node) };
}

/** What is said of members, as far as the exported class or interface that a type extends does not say it. */
async function describedMembers(type, exported, own) {
  const inherited = membersOf(type).filter((one) => {
    const parent = one.parent ?? checker.getSymbolAtLocation(one.declarations[0].parent.name ?? one.declarations[0]);
    return parent === undefined || parent === own || !exported.has(parent);
  });
  return Promise.all(inherited.map((one) => describedMember(one)));
}

/** The names of what a class or interface extends and implements, as far as users can have that, too. */
function heritageOf(node, exported) {
  const isKnown = ({ expression }) => {
    const symbol = meant(checker.getSymbolAtLocation(expression));
    return exported.has(symbol) || !isOurs(symbol.declarations[0]);
  };
  return (node.heritageClauses ?? []).flatMap(({ token, types }) => {
    const known = types.filter(isKnown).map((one) => one.getText().replace(/\s+/g, " "));
    return known.length === 0 ? [] : [ts.tokenToString(token), known.join(", ")];
  });
}

function typeParametersOf(node) {
  return node.typeParameters === undefined ? "" : `<${node.typeParameters.map((one) => one.getText()).join(", ")}>`;
}

/** What is said of one declaration of a symbol; others may have the same name, as a type and a value of it. */
async function described(symbol, node, exported) {
  const { name } = symbol;
  if (ts.isFunctionDeclaration(node)) {
    const found = signaturesOf(checker.getTypeOfSymbolAtLocation(symbol, node), node);
    const signatures = await Promise.all(found.map((one) => formatted(name + one, "declare function ")));
    return { kind: "function", signatures: signatures.map((one) => `function ${one}`), members: [] };
  }
  if (ts.isVariableDeclaration(node)) {
    const type = checker.getTypeOfSymbolAtLocation(symbol, node);
    const value = node.initializer;
    const isPlain = value !== undefined && (ts.isNumericLiteral(value) || ts.isStringLiteralLike(value));
    const said = isPlain ? ` = ${value.getText()}` : `: ${node.type?.getText() ?? typeText(type, node)}`;
    const listed = membersOf(type).filter((one) => ts.isPropertyAssignment(one.declarations[0]) && docOf(one) !== "");
    const members = await Promise.all(listed.map((one) => describedMember(one)));
    const isValue =
      members.length > 0 ? `const ${name}` : await formatted(`${name}${said}`, isPlain ? "const " : "declare const ");
    return { kind: "constant", signatures: [members.length > 0 ? isValue : `const ${isValue}`], members };
  }
  if (ts.isTypeAliasDeclaration(node)) {
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const isObject = !type.isUnion() && (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0;
    const isNamed = ts.isTypeReferenceNode(node.type) || ts.isIntersectionTypeNode(node.type);
    const listed = isObject && isNamed ? membersOf(type).filter((one) => docOf(one) !== "") : [];
    const members = await Promise.all(listed.map((one) => describedMember(one)));
    const written = node.getText().replace(/^export |;$/g, "");
    const text = await formatted(members.length > 0 ? written.replace(/\/\*\*[^]*?\*\//g, "") : written);
    return { kind: "type", signatures: [text], members };
  }
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const header = [`${name}${typeParametersOf(node)}`, ...heritageOf(node, exported)].join(" ");
  if (ts.isInterfaceDeclaration(node)) {
    const members = await describedMembers(type, exported, symbol);
    return { kind: "interface", signatures: [`interface ${header}`], members };
  }
  const ofClass = checker.getTypeOfSymbolAtLocation(symbol, node);
  const isAbstract = (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Abstract) !== 0;
  const made = isAbstract ? [] : signaturesOf(ofClass, node, "new").map((one) => one.replace(/^[^]*?\(/, "("));
  const constructors = made.map((one) => formatted(name + one.replace(/\): [^)]*$/, ")"), "declare function "));
  const statics = await Promise.all(membersOf(ofClass).map((one) => describedMember(one, true)));
  return {
    kind: "class",
    signatures: [`${isAbstract ? "abstract " : ""}class ${header}`],
    constructors: (await Promise.all(constructors)).map((one) => `new ${one}`),
    members: [...statics, ...(await describedMembers(type, exported, symbol))],
  };
}

function meant(symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** What a module exports, in the order of the names. */
async function describedModule(symbol, exported) {
  const found = checker.getExportsOfModule(symbol).map((one) => [one.name, meant(one)]);
  found.sort(([one], [other]) => (one < other ? -1 : 1));
  return Promise.all(
    found.map(async ([name, one]) => {
      const [first] = one.declarations;
      if (ts.isSourceFile(first)) {
        const inner = await describedModule(one, exported);
        return { name, doc: overviewOf(first), file: basename(first.fileName), parts: [], exports: inner };
      }
      const nodes = one.declarations.filter((node, at) => !ts.isFunctionDeclaration(node) || at === 0);
      return { name, doc: docOf(one), parts: await Promise.all(nodes.map((node) => described(one, node, exported))) };
    }),
  );
}

const modules = entries.map(({ path, file }) => {
  const source = program.getSourceFile(file);
  return { path, source, symbol: checker.getSymbolAtLocation(source) };
});
const all = modules.flatMap(({ symbol }) => checker.getExportsOfModule(symbol).map(meant));
const exported = new Set(all);
const told = [];
for (const { path, source, symbol } of modules) {
  told.push({
    name: path === "." ? name : `${name}/${path.slice(2)}`,
    doc: overviewOf(source),
    exports: await describedModule(symbol, exported),
  });
}
process.stdout.write(JSON.stringify(told));
