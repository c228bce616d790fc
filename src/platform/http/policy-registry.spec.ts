import { Controller, Get, Post } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { Policy } from './policy';
import { PolicyRegistry } from './policy-registry';

const open = { access: 'public', limit: 'anonymous', audit: null, summary: 'For anybody', answer: null } as const;

@Controller('v1/things')
class Declared {
  @Get()
  @Policy(open)
  list() {
    return [];
  }

  @Post(':id/use')
  @Policy({ ...open, access: 'api_key', scope: 'payments:write', limit: 'key' })
  use() {
    return {};
  }

  helper() {
    return 'no route';
  }
}

@Controller('v1/forgotten')
class Forgotten {
  @Get()
  @Policy(open)
  fine() {
    return [];
  }

  @Get('secrets')
  secrets() {
    return [];
  }
}

const start = async (...controllers: (typeof Declared | typeof Forgotten)[]) => {
  const module = await Test.createTestingModule({ imports: [DiscoveryModule], controllers, providers: [PolicyRegistry] }).compile();
  await module.init();
  return module;
};

describe('PolicyRegistry', () => {
  it('knows every route with its whole path and its policy', async () => {
    const module = await start(Declared);
    const registry = module.get(PolicyRegistry);
    expect(registry.routes.map(({ method, path, policy }) => [method, path, policy.access])).toEqual([
      ['GET', '/v1/things', 'public'], ['POST', '/v1/things/:id/use', 'api_key'],
    ]);
    expect(registry.of(Declared, Declared.prototype.use).scope).toBe('payments:write');
    await module.close();
  });

  it('does not start with a route that has no policy, and names it', async () => {
    await expect(start(Declared, Forgotten)).rejects.toThrow('These routes have no policy: Forgotten.secrets.');
  });

  it('refuses a handler that it has never seen', async () => {
    const module = await start(Declared);
    expect(() => module.get(PolicyRegistry).of(Forgotten, Forgotten.prototype.secrets)).toThrow('has no policy');
    await module.close();
  });
});

describe('Policy', () => {
  it('is refused when it is for keys and names no scope', () => {
    expect(() => Policy({ ...open, access: 'api_key' })).toThrow('names no scope');
  });
});
