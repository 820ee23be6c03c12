import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const ROOT = new URL('../..', import.meta.url).pathname;
const json = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
const { dependencies } = json('package.json') as { dependencies: Record<string, string> };
const { packages } = json('package-lock.json') as { packages: Record<string, unknown> };
const imported = packagesIn(
  ['src', 'cosigner', 'sentry-link'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.includes('testdata/'))
      .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
  ),
);

/** Names of the packages that sources load when they run, in order. */
function packagesIn(sources: readonly string[]): readonly string[] {
  const specifiers = sources.flatMap((text) => specifiersIn(ts.createSourceFile('x.ts', text, ts.ScriptTarget.Latest)));
  const names = specifiers
    .filter((specifier) => !specifier.startsWith('.') && !isBuiltin(specifier))
    .map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
  return [...new Set(names)].sort();
}

function specifiersIn(node: ts.Node): readonly string[] {
  const own = specifierOf(node);
  const found = own !== undefined && ts.isStringLiteral(own) ? [own.text] : [];
  ts.forEachChild(node, (child) => void found.push(...specifiersIn(child)));
  return found;
}

function specifierOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isImportDeclaration(node)) return node.importClause?.isTypeOnly ? undefined : node.moduleSpecifier;
  if (ts.isExportDeclaration(node)) return node.isTypeOnly ? undefined : node.moduleSpecifier;
  return ts.isCallExpression(node) && loads(node.expression) ? node.arguments[0] : undefined;
}

/** `import(…)` and `createRequire(…)(…)`. */
function loads(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true;
  return (
    ts.isCallExpression(callee) && ts.isIdentifier(callee.expression) && callee.expression.text === 'createRequire'
  );
}

it.each<[string, string, readonly string[]]>([
  ['names', "import { a, type B } from 'one';", ['one']],
  ['a file of a package with a scope', "import { a } from '@one/two/three.js';", ['@one/two']],
  ['nothing but the import', "import 'one';", ['one']],
  ['an export', "export { a } from 'one';", ['one']],
  ['one that waits', "async function f() { await import('one'); }", ['one']],
  ['an addon', "const a = createRequire(import.meta.url)('one') as A;", ['one']],
  ['several, some twice', "import 'two';\nimport 'one';\nimport 'two/x';", ['one', 'two']],
  ['types alone', "import type { A } from 'one';\nexport type { B } from 'two';", []],
  ['what comes with Node', "import { a } from 'node:fs';\nimport { b } from 'fs';", []],
  ['our own', "import { a } from './one.js';\nconst b = await import('../two.js');", []],
  ['a comment', "// import 'one';", []],
])('finds the packages of a source: %s', (_name, source, expected) => {
  expect(packagesIn([source])).toEqual(expected);
});

it.each(Object.keys(dependencies))('%s is a dependency: production code imports it', (name) => {
  expect(imported).toContain(name);
});

it.each(imported)('%s is imported by production code: it is a dependency', (name) => {
  expect(Object.keys(dependencies)).toContain(name);
});

it('there is one protobufjs, ours and that of grpc-js', () => {
  expect(Object.keys(packages).filter((path) => path.endsWith('node_modules/protobufjs'))).toEqual([
    'node_modules/protobufjs',
  ]);
});

it('a tarball brings every package that runs with it', () => {
  const { bundleDependencies } = json('package.json') as { bundleDependencies: readonly string[] };
  expect([...bundleDependencies].sort()).toEqual(Object.keys(dependencies).sort());
});
