import { Injectable, type OnModuleInit, RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { POLICY_KEY, type RoutePolicy } from './policy';

/** One route as its controller declares it. */
export interface DeclaredRoute {
  method: string;
  path: string;
  policy: RoutePolicy;
}

type Handler = (...args: never[]) => unknown;

/** Knows the policy of every route. A route without one stops the start-up: nobody may forget to say who may call. */
@Injectable()
export class PolicyRegistry implements OnModuleInit {
  private readonly policies = new Map<unknown, RoutePolicy>();
  readonly routes: DeclaredRoute[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    const missing: string[] = [];
    for (const { instance, metatype } of this.discovery.getControllers()) {
      const prototype = Object.getPrototypeOf(instance) as Record<string, Handler>;
      for (const name of this.scanner.getAllMethodNames(prototype)) {
        const handler = prototype[name];
        const path: string | undefined = Reflect.getMetadata(PATH_METADATA, handler);
        if (path === undefined) continue;
        const policy: RoutePolicy | undefined = Reflect.getMetadata(POLICY_KEY, handler);
        if (policy) this.register(metatype as Type, handler, path, policy);
        else missing.push(`${metatype?.name}.${name}`);
      }
    }
    if (missing.length > 0) {
      throw new Error(`These routes have no policy: ${missing.join(', ')}. Put @Policy({ … }) above each of them.`);
    }
  }

  /** The policy of a handler. A handler that was never declared is refused, not let through. */
  of(controller: Type, handler: unknown): RoutePolicy {
    const policy = this.policies.get(handler);
    if (!policy) throw new Error(`The route ${controller.name} has no policy.`);
    return policy;
  }

  private register(controller: Type, handler: Handler, path: string, policy: RoutePolicy): void {
    const prefix: string = Reflect.getMetadata(PATH_METADATA, controller) ?? '';
    const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
    const full = ['', prefix, path].join('/').replace(/\/+/g, '/');
    this.policies.set(handler, policy);
    this.routes.push({ method, path: full.length > 1 ? full.replace(/\/$/, '') : full, policy });
  }
}
