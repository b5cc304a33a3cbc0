module "etcd" {
    cluster_desired_capacity = 3
}
