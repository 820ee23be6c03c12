export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count. */
  readonly column: number;
}

export type TomlPath = readonly (string | number)[];

interface Place {
  readonly key: number;
  readonly value: number;
}

/**
 * Where the keys and values of a TOML text stand, for messages: smol-toml says so only for errors of syntax. The text must
 * have been parsed before, this scan does not check it. Tables, arrays of tables, dotted and quoted keys, inline tables,
 * arrays and all strings of TOML 1.0 are known.
 */
export class TomlPositions {
  readonly #text: string;
  readonly #places = new Map<string, Place>();
  /** Last index of each array of tables. */
  readonly #lastIndex = new Map<string, number>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#scan();
  }

  /** Of the value at `path`, or of the nearest table around it when there is none; the start of the text at last. */
  value(path: TomlPath): Position {
    return this.#position(this.#nearest(path)?.value ?? 0);
  }

  /** Of the key that ends `path`, else as `value`. */
  key(path: TomlPath): Position {
    return this.#position(this.#nearest(path)?.key ?? 0);
  }

  #nearest(path: TomlPath): Place | undefined {
    for (let length = path.length; length > 0; length--) {
      const place = this.#places.get(nameOf(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return undefined;
  }

  #position(offset: number): Position {
    const before = this.#text.slice(0, offset);
    return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
  }

  #scan(): void {
    let table: TomlPath = [];
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      const from = this.#at;
      if (this.#text[this.#at] === '[') table = this.#header();
      else this.#pair(table);
      if (this.#at === from) this.#at++;
    }
  }

  /** `[a.b]` or `[[a.b]]`; the path of the table it opens. */
  #header(): TomlPath {
    const start = this.#at;
    const brackets = this.#text.startsWith('[[', start) ? 2 : 1;
    this.#at += brackets;
    const names = this.#dottedKey().map((part) => part.name);
    this.#at += brackets;
    const path: (string | number)[] = [];
    names.forEach((part, i) => {
      path.push(part);
      const name = nameOf(path);
      if (brackets === 2 && i === names.length - 1) this.#lastIndex.set(name, (this.#lastIndex.get(name) ?? -1) + 1);
      const index = this.#lastIndex.get(name);
      if (!this.#places.has(name)) this.#places.set(name, { key: start, value: start });
      if (index !== undefined) path.push(index);
    });
    this.#places.set(nameOf(path), { key: start, value: start });
    return path;
  }

  #pair(table: TomlPath): void {
    const parts = this.#dottedKey();
    if (this.#text[this.#at] === '=') this.#at++;
    this.#skipSpaces();
    const value = this.#at;
    const path = [...table];
    for (const { name, at } of parts) {
      path.push(name);
      if (!this.#places.has(nameOf(path))) this.#places.set(nameOf(path), { key: at, value });
    }
    this.#value(path);
  }

  #value(path: TomlPath): void {
    const opening = this.#text[this.#at];
    if (opening === '[') this.#array(path);
    else if (opening === '{') this.#inlineTable(path);
    else if (opening === '"' || opening === "'") this.#string();
    else while (this.#at < this.#text.length && !/[,\]}\n#]/.test(this.#text.charAt(this.#at))) this.#at++;
  }

  #array(path: TomlPath): void {
    this.#at++;
    for (let index = 0; this.#insideUntil(']'); index++) {
      const element = [...path, index];
      this.#places.set(nameOf(element), { key: this.#at, value: this.#at });
      const from = this.#at;
      this.#value(element);
      if (this.#at === from) this.#at++;
    }
    this.#at++;
  }

  #inlineTable(path: TomlPath): void {
    this.#at++;
    while (this.#insideUntil('}')) {
      const from = this.#at;
      this.#pair(path);
      if (this.#at === from) this.#at++;
    }
    this.#at++;
  }

  /** Skips to the next element; false at the closing bracket and at the end of the text. */
  #insideUntil(closing: string): boolean {
    this.#skipBlank();
    while (this.#text[this.#at] === ',') {
      this.#at++;
      this.#skipBlank();
    }
    return this.#at < this.#text.length && this.#text[this.#at] !== closing;
  }

  #dottedKey(): { readonly name: string; readonly at: number }[] {
    const parts = [];
    for (;;) {
      this.#skipSpaces();
      const at = this.#at;
      parts.push({ name: this.#keyPart(), at });
      this.#skipSpaces();
      if (this.#text[this.#at] !== '.') return parts;
      this.#at++;
    }
  }

  #keyPart(): string {
    const start = this.#at;
    const quote = this.#text[start];
    if (quote !== '"' && quote !== "'") {
      while (/[A-Za-z0-9_-]/.test(this.#text.charAt(this.#at))) this.#at++;
      return this.#text.slice(start, this.#at);
    }
    this.#string();
    const inside = this.#text.slice(start + 1, this.#at - 1);
    return quote === '"' ? unescapeKey(inside) : inside;
  }

  #string(): void {
    const quote = this.#text.charAt(this.#at);
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at);
    const end = isLong ? quote.repeat(3) : quote;
    this.#at += end.length;
    while (this.#at < this.#text.length && !this.#text.startsWith(end, this.#at))
      this.#at += quote === '"' && this.#text[this.#at] === '\\' ? 2 : 1;
    this.#at += end.length;
    // A long string may end in one or two quotes of its own.
    while (isLong && this.#text[this.#at] === quote) this.#at++;
  }

  #skipSpaces(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++;
  }

  #skipBlank(): void {
    for (;;) {
      while (/\s/.test(this.#text.charAt(this.#at))) this.#at++;
      if (this.#text[this.#at] !== '#') return;
      while (this.#at < this.#text.length && this.#text[this.#at] !== '\n') this.#at++;
    }
  }
}

function nameOf(path: TomlPath): string {
  return JSON.stringify(path);
}

function unescapeKey(inside: string): string {
  try {
    return String(JSON.parse(`"${inside}"`));
  } catch {
    return inside;
  }
}
