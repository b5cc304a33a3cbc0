module "worker" {
    cluster_desired_capacity = 3
    image_type = "t2.medium"
    root_volume_size =  12
    docker_volume_size =  120
}
