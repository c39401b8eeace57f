// validatorUrl: Swagger UI would send the document's address to a validator on the internet.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
