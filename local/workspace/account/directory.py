"""The account's directory (`/api/2.0/accounts/{id}/scim/v2`): the workspace's own, since there is one for both."""

from fastapi import APIRouter

from local.workspace.account.collection import ACCOUNT
from local.workspace.identity import routes

router = APIRouter()
_ALL = f"{ACCOUNT}/scim/v2/{{collection}}"
_ONE = f"{_ALL}/{{identifier}}"

router.add_api_route(_ALL, routes.create, methods=["POST"], status_code=201)
router.add_api_route(_ALL, routes.list_all, methods=["GET"])
router.add_api_route(_ONE, routes.get, methods=["GET"])
router.add_api_route(_ONE, routes.replace, methods=["PUT"])
router.add_api_route(_ONE, routes.patch, methods=["PATCH"])
router.add_api_route(_ONE, routes.delete, methods=["DELETE"], status_code=204)
