import { type DynamicModule, Module, type Type } from '@nestjs/common';
import type { Settings } from '../../config/settings';
import { DebugRequestController, DebugSignatureController } from './debug.controller';

const ENDPOINTS: Readonly<Record<string, Type>> = { signature: DebugSignatureController, request: DebugRequestController };

/**
 * The debug endpoints that the operator has switched on. The others are not even declared, so that their addresses answer like any
 * unknown one, to every method and every body, and the published contract does not name them.
 */
@Module({})
export class DebugModule {
  static forRoot({ debugEndpoints }: Pick<Settings, 'debugEndpoints'>): DynamicModule {
    const names = Object.keys(ENDPOINTS).filter((name) => debugEndpoints === 'all' || debugEndpoints.includes(name));
    return { module: DebugModule, controllers: names.map((name) => ENDPOINTS[name]) };
  }
}
