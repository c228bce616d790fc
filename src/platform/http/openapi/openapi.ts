import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { PolicyRegistry } from '../policy-registry';
import { INTRODUCTION } from './introduction';
import { describeOperation, type Operation } from './operation';
import { outboundEvents } from './outbound-events';
import { components } from './parts';

/**
 * The published contract, OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1): requests and answers from the zod schemas that
 * also validate, everything else from the routes' policies. Nothing is written twice, so nothing can differ.
 */
export function buildOpenApi(app: NestFastifyApplication, publicUrl: string): OpenAPIObject {
  const frame = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('CPGateway')
    .setVersion('v1')
    .setDescription(INTRODUCTION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer(publicUrl)
    .build();
  const options = { standardSchemaConverter: toJsonSchema, operationIdFactory };
  const document = SwaggerModule.createDocument(app, { ...frame, components: components() }, options);
  for (const route of app.get(PolicyRegistry).routes) describeOperation(operationAt(document, route.method, route.path), route);
  return Object.assign(document, { webhooks: outboundEvents() });
}

/** `PaymentsController.create` becomes `paymentsCreate`: the name of a method in generated clients. */
function operationIdFactory(controller: string, method: string): string {
  const noun = controller.replace(/Controller$/, '');
  return noun[0].toLowerCase() + noun.slice(1) + method[0].toUpperCase() + method.slice(1);
}

/** JSON Schema 2020-12, which OpenAPI 3.1 speaks; schemas with an id are named once among the components. */
function toJsonSchema(schema: unknown, { schemaType }: { schemaType: 'input' | 'output' }) {
  if (!(schema instanceof z.ZodType)) return undefined;
  const { $schema: _dialect, $defs, ...converted } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io: schemaType,
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      // Answers may gain fields; a client that refuses new ones would break over nothing.
      if (schemaType === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return { schema: converted, components: $defs };
}

function operationAt(document: OpenAPIObject, method: string, path: string): Operation {
  const item = document.paths[path.replace(/:(\w+)/g, '{$1}')] as Record<string, unknown> | undefined;
  const operation = item?.[method.toLowerCase()];
  if (!operation) throw new Error(`The OpenAPI document lacks ${method} ${path}.`);
  return operation as Operation;
}
