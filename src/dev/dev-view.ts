import type { DevEvent } from './dev-process.js';

/** Events of the processes that a person wants to see, in other words where those are for operators. */
const SHOWN: ReadonlyMap<string, (event: DevEvent) => string> = new Map([
  ['lease acquired', ({ process, fields }) => `${process} leads (term ${String(fields['term'])})`],
  ['lease lost', ({ process, fields }) => `${process} leads no more: ${String(fields['reason'])}`],
  ['quorum is back', ({ process, fields }) => `${process}: quorum is back: ${String(fields['reason'])}`],
  ['connected to the node', ({ process, fields }) => `${process} serves the node at ${String(fields['node'])}`],
]);

/** What the events of all processes are to a person. */
export class DevView {
  /** Of whom it was told that a process lost them: it is told, too, that they are back. */
  readonly #lost = new Set<string>();

  /** One line for the terminal, or undefined for what is not worth one. */
  describe(event: DevEvent): string | undefined {
    if (event.event.startsWith('signed ')) return event.event;
    const shown = SHOWN.get(event.event);
    if (shown !== undefined) return shown(event);
    const cosigner = String(event.fields['cosigner']);
    const pair = `${event.process} ${cosigner}`;
    if (event.event === 'cosigner lost') this.#lost.add(pair);
    if (event.event === 'cosigner connected')
      return this.#lost.delete(pair) ? `${event.process}: ${cosigner} is connected again` : undefined;
    if (event.level !== 'warn' && event.level !== 'error') return undefined;
    const { code, cause, reason, message, fix } = event.fields;
    const why = [code, cause ?? reason ?? message, fix].filter((part) => part !== undefined).map(String);
    return `${event.process}: ${[event.event, ...why].join('; ')}`;
  }
}
