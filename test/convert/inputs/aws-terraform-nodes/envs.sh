export AWS_PROFILE=my-dev-cluster
export CLUSTER_NAME=my-dev-cluser
export COREOS_UPDATE_CHANNE=stable
