"""ResNet-18 for small images in plain torch, as the reference code of MedMNIST has it: 3x3 stem, no first pooling."""

from torch import Tensor, nn


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut.

    Parameters
    ----------
    entering, width : int
        Channels.
    stride : int
        Of the first convolution and, where the shape changes, of the 1x1 shortcut.

    References
    ----------
    He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016.
    """

    def __init__(self, entering: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(entering, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        same = stride == 1 and entering == width
        projection = nn.Sequential(nn.Conv2d(entering, width, 1, stride, bias=False), nn.BatchNorm2d(width))
        self.shortcut = nn.Identity() if same else projection
        self.end = nn.ReLU(inplace=True)

    def forward(self, features: Tensor) -> Tensor:
        """Return features (b c y x)."""
        summed: Tensor = self.end(self.body(features) + self.shortcut(features))
        return summed


def resnet18(channels: int, classes: int) -> nn.Sequential:
    """Return the network: stem of 64, four stages of two blocks (64, 128, 256, 512), mean, one dense layer.

    Parameters
    ----------
    channels : int
        Of the images.
    classes : int
    """
    stem = [nn.Conv2d(channels, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    blocks: list[nn.Module] = []
    entering = 64
    for width, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        blocks += [Block(entering, width, stride=stride), Block(width, width, stride=1)]
        entering = width
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, classes))
