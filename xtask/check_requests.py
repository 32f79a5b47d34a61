"""Judges recorded requests and answers by botocore's models.

Usage: check_requests.py FILE...

Each line of a file is one exchange: the request and the answer of the embedded cloud, as `Cloud::record` writes it. The operation is
found by its HTTP binding, its input is decoded and checked against the model (required members, types, enums, lengths and
patterns), and the answer is read by botocore's own parser. Exits with 1 if a request is refused, or an answer cannot be read or
lacks a required member.
"""

import base64
import collections
import io
import json
import re
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

import botocore.parsers
import botocore.session
from botocore.awsrequest import HeadersDict
from botocore.validate import ParamValidator

SESSION = botocore.session.get_session()
VALIDATOR = ParamValidator()


# Operations that AWS documents and botocore's models do not have.
UNMODELED = [("route53", "GET", re.compile(r"/2013-04-01/hostedzone/[A-Z0-9]+/rrsetprotection"))]


class Refused(Exception):
    """A request that the model does not allow."""


def model(service):
    return SESSION.get_service_model(service)


def template_parts(uri):
    """The segments of a URI template, and the parameters that its query demands."""
    path, _, query = uri.partition("?")
    literals = dict(parse_qsl(query, keep_blank_values=True))
    return [part for part in path.strip("/").split("/") if part], literals


def match_path(template, path):
    """The labels of a path, or None if the template is not that of the path."""
    labels, parts = {}, [part for part in path.strip("/").split("/")] if path.strip("/") else []
    for index, part in enumerate(template):
        if part.startswith("{") and part.endswith("+}"):
            rest = "/".join(parts[index:])
            if not rest:
                return None
            labels[part[1:-2]] = unquote(rest)
            return labels
        if index >= len(parts):
            return None
        if part.startswith("{"):
            labels[part[1:-1]] = unquote(parts[index])
        elif part != parts[index]:
            return None
    return labels if len(parts) == len(template) else None


def rest_operation(service, exchange):
    """The operation of a REST service whose binding fits best, with the labels in its path."""
    url = urlsplit(exchange["url"])
    path = url.path
    if service == "s3" and exchange.get("bucket"):
        path = "/" + exchange["bucket"] + path
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    headers = HeadersDict(exchange["headers"])
    best = None
    for name in model(service).operation_names:
        operation = model(service).operation_model(name)
        if operation.deprecated:
            continue
        if operation.http["method"] != exchange["method"]:
            continue
        template, literals = template_parts(operation.http["requestUri"])
        if any(query.get(key) != value for key, value in literals.items()):
            continue
        raw = path
        if service == "s3" and raw.count("/") >= 2 and len(template) == 2:
            # A key may have empty segments.
            bucket, _, key = raw.lstrip("/").partition("/")
            labels = {"Bucket": unquote(bucket), "Key": unquote(key)} if key and template[-1] == "{Key+}" else None
        else:
            labels = match_path(template, raw)
        if labels is None:
            continue
        score = 10 * len(literals)
        shape = operation.input_shape
        for member in shape.required_members if shape else []:
            location = shape.members[member].serialization
            place, wire = location.get("location"), location.get("name", member)
            if place == "querystring":
                score = score + 5 if wire in query else None
            elif place == "header":
                score = score + 5 if wire in headers else None
            if score is None:
                break
        if score is not None and (best is None or score > best[0]):
            best = (score, operation, labels)
    if best is None:
        raise Refused("no operation has this method, path and query")
    return best[1], best[2], query, headers


def scalar(shape, text):
    """The value of a label, header or parameter."""
    kind = shape.type_name
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "boolean":
        if text not in ("true", "false"):
            raise Refused(f"`{text}` is not a boolean")
        return text == "true"
    return text


def rest_input(service, exchange):
    operation, labels, query, headers = rest_operation(service, exchange)
    shape, params = operation.input_shape, {}
    if shape is None:
        return operation, params
    payload = shape.serialization.get("payload")
    in_body = []
    for name, member in shape.members.items():
        place, wire = member.serialization.get("location"), member.serialization.get("name", name)
        if place == "uri" and wire in labels:
            params[name] = scalar(member, labels[wire])
        elif place == "querystring" and member.type_name == "list":
            values = [value for key, value in parse_qsl(urlsplit(exchange["url"]).query, keep_blank_values=True) if key == wire]
            if values:
                params[name] = [scalar(member.member, value) for value in values]
        elif place == "querystring" and wire in query:
            params[name] = scalar(member, query[wire])
        elif place == "header" and wire in headers:
            text = headers[wire]
            params[name] = [part.strip() for part in text.split(",")] if member.type_name == "list" else scalar(member, text)
        elif place == "headers":
            found = {key[len(wire):]: value for key, value in headers.items() if key.lower().startswith(wire)}
            if found:
                params[name] = found
        elif place is None and name != payload:
            in_body.append(name)
    body = base64.b64decode(exchange["body"])
    parser = botocore.parsers.RestXMLParser()
    if payload and shape.members[payload].type_name in ("blob", "string"):
        params[payload] = body if shape.members[payload].type_name == "blob" else body.decode()
    elif payload and body:
        params[payload] = parser._parse_shape(shape.members[payload], parser._parse_xml_string_to_dom(body))
    elif in_body and body and model(service).metadata["protocol"] == "rest-json":
        document = json.loads(body)
        unknown = set(document) - {shape.members[name].serialization.get("name", name) for name in in_body}
        if unknown:
            raise Refused(f"unknown members {sorted(unknown)}")
        read = botocore.parsers.RestJSONParser()._parse_shape(shape, document)
        params.update({name: value for name, value in read.items() if name in in_body})
    elif in_body and body:
        root = parser._parse_xml_string_to_dom(body)
        expected = shape.serialization.get("name")
        if expected and root.tag.rsplit("}", 1)[-1] != expected:
            raise Refused(f"the document is a `{root.tag}`, not a `{expected}`")
        read = parser._parse_shape(shape, root)
        params.update({name: value for name, value in read.items() if name in in_body})
    return operation, params


def form_value(shape, form, prefix):
    """The value of a member in an awsQuery form, or None."""
    under = [key for key in form if key == prefix or key.startswith(prefix + ".")]
    if not under:
        return None
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            value = form_value(member, form, f"{prefix}.{member.serialization.get('name', name)}" if prefix else name)
            if value is not None:
                found[name] = value
        return found
    if shape.type_name == "list":
        item = "" if shape.serialization.get("flattened") else "." + shape.member.serialization.get("name", "member")
        items, index = [], 1
        while (value := form_value(shape.member, form, f"{prefix}{item}.{index}")) is not None:
            items.append(value)
            index += 1
        return items
    if shape.type_name == "map":
        found, index = {}, 1
        while (key := form.get(f"{prefix}.entry.{index}.key")) is not None:
            found[key] = form.get(f"{prefix}.entry.{index}.value", "")
            index += 1
        return found
    return scalar(shape, form[prefix])


def query_input(service, exchange):
    form = dict(parse_qsl(base64.b64decode(exchange["body"]).decode(), keep_blank_values=True))
    name = form.pop("Action", None)
    version = form.pop("Version", None)
    if name not in model(service).operation_names:
        raise Refused(f"there is no operation `{name}`")
    if version != model(service).api_version:
        raise Refused(f"version {version} is not {model(service).api_version}")
    operation, params, known = model(service).operation_model(name), {}, set()
    shape = operation.input_shape
    for member_name, member in (shape.members if shape else {}).items():
        wire = member.serialization.get("name", member_name)
        known.add(wire)
        value = form_value(member, form, wire)
        if value is not None:
            params[member_name] = value
    unknown = {key.split(".")[0] for key in form} - known
    if unknown:
        raise Refused(f"unknown parameters {sorted(unknown)}")
    return operation, params


def input_of(service, exchange):
    """The operation of a request, its input, and the protocol."""
    headers = HeadersDict(exchange["headers"])
    body = base64.b64decode(exchange["body"])
    if service in ("s3", "s3control", "cloudfront", "route53"):
        return *rest_input(service, exchange), "rest-xml"
    if service in ("apigatewayv2", "cloudfront-keyvaluestore"):
        return *rest_input(service, exchange), "rest-json"
    if service in ("iam", "sns", "sts"):
        return *query_input(service, exchange), "query"
    if service == "cloudwatch" and "/operation/" in exchange["url"]:
        name = exchange["url"].rsplit("/operation/", 1)[1]
        parser = botocore.parsers.RpcV2CBORParser()
        params = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}
        return model(service).operation_model(name), params, "smithy-rpc-v2-cbor"
    target = headers.get("X-Amz-Target", "")
    prefix, _, name = target.partition(".")
    if prefix != model(service).metadata["targetPrefix"] or name not in model(service).operation_names:
        raise Refused(f"there is no operation `{target}`")
    return model(service).operation_model(name), json.loads(body or b"{}"), "json"


def constraints(shape, value, at):
    """What botocore's validator does not look at: enums, greatest lengths and patterns."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from constraints(member, value[name], f"{at}.{name}")
    elif kind == "list" and isinstance(value, list):
        if len(value) > shape.metadata.get("max", len(value)):
            yield f"{at}: {len(value)} items"
        for index, item in enumerate(value):
            yield from constraints(shape.member, item, f"{at}[{index}]")
    elif kind == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from constraints(shape.key, key, f"{at} key")
            yield from constraints(shape.value, item, f"{at}[{key}]")
    elif kind == "string" and isinstance(value, str):
        if getattr(shape, "enum", None) and value not in shape.enum:
            yield f"{at}: `{value}` is not one of {shape.enum}"
        if not shape.metadata.get("min", 0) <= len(value) <= shape.metadata.get("max", len(value)):
            yield f"{at}: {len(value)} characters"
        pattern = shape.metadata.get("pattern")
        if pattern:
            try:
                matches = re.search(python_pattern(pattern), value)
            except re.error:
                matches = True
            if not matches:
                yield f"{at}: `{value[:60]}` is not {pattern}"


def python_pattern(pattern):
    """Classes of Java that Python does not have; code points in braces."""
    for theirs, ours in (("\\p{L}", r"^\W\d_"), ("\\p{Z}", r"\s"), ("\\p{N}", r"\d"), ("\\p{P}", ""), ("\\p{M}", "")):
        if theirs in pattern and "[" in pattern and theirs == "\\p{L}":
            pattern = pattern.replace(theirs, "A-Za-z\u00c0-\uffff")
        pattern = pattern.replace(theirs, ours)
    return re.sub(r"\\[ux]\{?([0-9A-Fa-f]{4,6})\}?", lambda m: chr(int(m.group(1), 16)), pattern)


def missing(shape, value, at):
    """Required members that a parsed answer lacks."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name in shape.required_members:
            if name not in value:
                yield f"{at}.{name}"
        for name, member in shape.members.items():
            if name in value:
                yield from missing(member, value[name], f"{at}.{name}")
    elif kind == "list" and isinstance(value, list):
        for item in value:
            yield from missing(shape.member, item, f"{at}[]")
    elif kind == "map" and isinstance(value, dict):
        for item in value.values():
            yield from missing(shape.value, item, f"{at}{{}}")


def check_answer(exchange, operation, protocol):
    headers = HeadersDict(exchange["answer_headers"])
    body = base64.b64decode(exchange["answer"])
    answer = {"status_code": exchange["status"], "headers": headers, "body": body, "context": {"operation_name": operation.name}}
    shape = operation.output_shape
    if shape is not None and operation.has_streaming_output and exchange["status"] < 300:
        answer["body"] = io.BytesIO(body)
    parsed = botocore.parsers.create_parser(protocol).parse(answer, shape)
    if exchange["status"] == 304 or (exchange["status"] >= 300 and exchange["method"] == "HEAD"):
        return
    if exchange["status"] >= 300:
        if not parsed.get("Error", {}).get("Code"):
            yield "an error without a code"
        return
    if shape is not None:
        yield from (f"lacks {member}" for member in missing(shape, parsed, operation.name))


def check(exchange):
    """The operation of an exchange, and what is wrong with the request and with the answer."""
    service = exchange["service"]
    try:
        operation, params, protocol = input_of(service, exchange)
        shape, refused = operation.input_shape, []
        if shape is not None:
            report = VALIDATOR.validate(params, shape)
            refused = [report.generate_report()] if report.has_errors() else []
            refused += constraints(shape, params, operation.name)
        name = f"{service}:{operation.name}"
    except Refused as error:
        return f"{service}:{exchange['method']} {exchange['url']}", [str(error)], []
    try:
        answers = list(check_answer(exchange, operation, protocol))
    except Exception as error:  # whatever the parser raises is an answer that SDKs cannot read
        answers = [f"cannot be read: {type(error).__name__}: {error}"]
    return name, refused, answers


def is_unmodeled(exchange, service, method, path):
    return (exchange["service"], exchange["method"]) == (service, method) and path.fullmatch(urlsplit(exchange["url"]).path)


def main(files):
    operations, findings, unmodeled = collections.Counter(), collections.Counter(), 0
    for file in files:
        with open(file, encoding="utf-8") as lines:
            for line in lines:
                exchange = json.loads(line)
                if any(is_unmodeled(exchange, *one) for one in UNMODELED):
                    unmodeled += 1
                    continue
                name, refused, answers = check(exchange)
                operations[name] += 1
                findings.update((f"request {name}: {text}" for text in refused))
                findings.update((f"answer {name}: {text}" for text in answers))
    for finding, count in sorted(findings.items()):
        print(f"{count} times: {finding}", file=sys.stderr)
    total = sum(operations.values())
    print(f"botocore: {total} requests of {len(operations)} operations, {len(findings)} findings; {unmodeled} requests that it does not know")
    if total == 0:
        sys.exit("there is nothing to check")
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
