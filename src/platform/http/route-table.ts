import { Injectable } from '@nestjs/common';

/** Every address and its methods as the server has registered them, to tell 405 from 404 after nothing matched. */
@Injectable()
export class RouteTable {
  private readonly methods = new Map<string, Set<string>>();

  add(pattern: string, method: string | readonly string[]): void {
    const known = this.methods.get(pattern) ?? new Set<string>();
    for (const name of [method].flat()) known.add(name);
    this.methods.set(pattern, known);
  }

  /** Whether this is the pattern of a route. */
  has(pattern: string): boolean {
    return this.methods.has(pattern);
  }

  /** The methods that an address takes, when it is one of ours. */
  methodsAt(url: string): string[] | undefined {
    const path = url.split('?', 1)[0].split('/');
    for (const [pattern, methods] of this.methods) {
      const parts = pattern.split('/');
      const fits = parts.length === path.length && parts.every((part, at) => part === path[at] || (part.startsWith(':') && path[at] !== ''));
      if (fits) return [...methods].filter((method) => method !== 'OPTIONS').sort();
    }
    return undefined;
  }
}
