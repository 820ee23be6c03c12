import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from './project.js';

/** The commands of a document, in order: the lines of its blocks in `sh`, with what a backslash goes on joined to them. */
export function commandsIn(document: string): readonly string[] {
  const text = readFileSync(join(PROJECT_ROOT, document), 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block
      .replaceAll(/\\\n\s*/g, '')
      .split('\n')
      .filter((line) => line !== ''),
  );
}

/** A command with the values of an example exchanged; each word of it is one argument. */
export function inPlaceOf(command: string, values: Readonly<Record<string, string>>): readonly string[] {
  return command.split(/\s+/).map((word) => {
    const [example] = Object.keys(values)
      .filter((key) => word === key || word.startsWith(`${key}/`))
      .sort((a, b) => b.length - a.length);
    return example === undefined ? word : `${values[example]}${word.slice(example.length)}`;
  });
}
